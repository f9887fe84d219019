"""Programs for whoever works on this project, run by hand or by `make`."""
