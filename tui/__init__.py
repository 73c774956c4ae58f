"""What people see and type: the console and the commands."""
