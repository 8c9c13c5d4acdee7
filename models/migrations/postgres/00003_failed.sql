-- +goose Up
-- What failed of one webhook is asked for often and is little.
create index deliveries_failed on deliveries (webhook_id, id) where state = 'failed';
