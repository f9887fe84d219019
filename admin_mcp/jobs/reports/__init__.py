"""Reports: answers that take many reads. They change nothing, and are given nothing that could."""
