-- +goose Up
-- The list's sorts, filters and counts. deleted_at stands in them so that they
-- answer alone: SQLite looks at it also where the index says what it is.
create index webhooks_type on webhooks (type, id, deleted_at) where deleted_at is null;
create index webhooks_owner on webhooks (owner_id, owner_name, deleted_at) where deleted_at is null;
-- Lanes that fail are few.
create index lanes_failing on lanes (webhook_id) where failures_in_row > 0;
-- What is sent again by hand is little, and asked for by its moment.
create index deliveries_resend on deliveries (due_at, webhook_id) where resend;
