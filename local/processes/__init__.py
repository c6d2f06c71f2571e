"""The processes of one run: started, watched, ended, never orphaned."""
