-- What could not go on and is to be tried again later is on a shelf of its own (8): no sleeper is looked at for it.
CREATE INDEX durable_instance_again ON SCHEMA.durable_instance (due) WHERE shelf = 8;
UPDATE SCHEMA.durable_instance SET shelf = 8 FROM SCHEMA.durable_state
WHERE durable_state.key = durable_instance.key AND shelf = 2 AND due IS NOT NULL AND error IS NOT NULL;
