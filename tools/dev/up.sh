# ./dev up and ./dev down: the five services as separate processes.
up() { die "up: not yet"; }
down() { die "down: not yet"; }
