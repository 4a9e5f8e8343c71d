"""What lies on disk: identities, finished trainings, and the folders of runs."""
