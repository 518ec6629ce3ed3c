"""Classical methods behind the interfaces of the learned ones."""
