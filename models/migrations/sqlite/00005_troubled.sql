-- +goose Up
-- Every page asks which webhooks do not send; they are few.
create index webhooks_troubled on webhooks (state, state_at, id) where state <> 'active' and deleted_at is null;
