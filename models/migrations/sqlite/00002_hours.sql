-- +goose Up
-- How a webhook fared in each hour, written with the outcomes.
create table webhook_hours (
    webhook_id integer not null,
    hour datetime not null,
    delivered integer not null,
    failed integer not null,
    ms_sum integer not null,
    ms_max integer not null,
    primary key (webhook_id, hour)
);
create index webhook_hours_hour on webhook_hours (hour);
