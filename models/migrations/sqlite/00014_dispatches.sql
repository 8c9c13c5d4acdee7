-- +goose Up
-- What was dispatched before. By itself, since it may take a while and holds
-- nobody up; what is dispatched meanwhile the triggers tell.
insert into dispatches (event_id, dispatched_at, merged_into, match_version, logged)
    select id, dispatched_at, merged_into, coalesce(match_version, 0), logged from events where dispatched_at is not null
    on conflict (event_id) do nothing;
