-- The masking policy of a key's requests, by its name in the configuration.
ALTER TABLE keys ADD COLUMN masking TEXT;
