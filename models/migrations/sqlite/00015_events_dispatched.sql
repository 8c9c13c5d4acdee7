-- +goose Up
-- Retention goes by dispatches now. By itself, since a lock on events that
-- came after others would be one too many.
drop index events_dispatched;
