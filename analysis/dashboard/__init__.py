"""The dashboard: pages over finished runs, and one that starts new ones.

A page is a function of what stands in the address (`analysis.dashboard.state`) and of what is on disk
(`analysis.dashboard.library`); nothing else is remembered, so that an address can be shared and a server restarted.
"""
