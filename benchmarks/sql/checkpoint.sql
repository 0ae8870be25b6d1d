-- Writes what is dirty to disk, so that each round starts alike.
CHECKPOINT
