"""The environment, read once. The only reader of os.environ."""
