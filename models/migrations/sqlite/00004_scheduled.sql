-- +goose Up
-- When the next attempt of the schedule is due, while one by hand comes first.
alter table deliveries add column scheduled_at datetime;
