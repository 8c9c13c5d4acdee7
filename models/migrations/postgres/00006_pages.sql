-- +goose Up
-- The list's sorts, filters and counts, without reading the wide rows.
create index webhooks_type on webhooks (type, id) where deleted_at is null;
create index webhooks_owner on webhooks (owner_id, owner_name) where deleted_at is null;
-- Lanes that fail are few.
create index lanes_failing on lanes (webhook_id) where failures_in_row > 0;
-- What is sent again by hand is little, and asked for by its moment.
create index deliveries_resend on deliveries (due_at, webhook_id) where resend;
