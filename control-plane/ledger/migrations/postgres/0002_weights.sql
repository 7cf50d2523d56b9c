-- What commands made of the weights of models' splits, a row for each step; the last row of
-- a model is what holds. `held` is what did before, as JSON; NULL in either: the weights of
-- the configuration. `can_undo`: the step may still be taken back.
CREATE TABLE weight_steps (
    seq BIGINT PRIMARY KEY,
    model TEXT COLLATE "C" NOT NULL,
    at_ms BIGINT NOT NULL,
    actor TEXT NOT NULL,
    held TEXT,
    weights TEXT,
    can_undo BOOLEAN NOT NULL
);
CREATE INDEX weight_steps_of_models ON weight_steps (model, seq);
