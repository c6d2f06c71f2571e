"""`hookstream doctor`: checks each part that the system depends on, and names a remedy for each problem."""
