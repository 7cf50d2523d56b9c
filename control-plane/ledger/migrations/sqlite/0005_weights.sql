-- What commands made of the weights of models' splits, a row for each step; the last row of
-- a model is what holds. `held` is what did before, as JSON; NULL in either: the weights of
-- the configuration. `can_undo` (a flag): the step may still be taken back.
CREATE TABLE weight_steps (
    seq INTEGER PRIMARY KEY,
    model TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,
    held TEXT,
    weights TEXT,
    can_undo INTEGER NOT NULL
) STRICT;
CREATE INDEX weight_steps_of_models ON weight_steps (model, seq);
