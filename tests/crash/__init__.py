"""Programs and stores whose processes are killed, in effects or at any moment, and what goes on after that."""
