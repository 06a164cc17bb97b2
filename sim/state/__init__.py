"""What the world holds: tables of columns, each with one writer, and the containers built on them."""
