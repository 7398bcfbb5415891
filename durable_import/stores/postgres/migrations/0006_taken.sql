-- What has ended, or has failed and is tried again, is owned for a while: it is found without a look at all that is owned.
CREATE INDEX durable_instance_taken ON SCHEMA.durable_instance (created_at) WHERE shelf = 0 AND ended_at IS NOT NULL;
-- What is owned is found by what it does, too: a commit changes this index only if the status becomes another one.
DROP INDEX SCHEMA.durable_state_owner;
CREATE INDEX durable_state_owner ON SCHEMA.durable_state (owner, status) WHERE owner IS NOT NULL;
