"""The backend of the sample application."""
