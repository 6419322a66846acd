"""Eight small C programs, built for Wasm (`build.sh`), and who runs them (`worker.py`)."""
