"""What programs call: the runtime, handles, and what is known from inside an instance."""
