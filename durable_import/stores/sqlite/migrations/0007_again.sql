-- What could not go on and is to be tried again later is on a shelf of its own (8): no sleeper is looked at for it.
CREATE INDEX durable_instance_again ON durable_instance (due) WHERE shelf = 8;
UPDATE durable_instance SET shelf = 8
WHERE shelf = 2 AND due IS NOT NULL
    AND EXISTS (SELECT * FROM durable_state AS s WHERE s.number = durable_instance.number AND s.error IS NOT NULL);
