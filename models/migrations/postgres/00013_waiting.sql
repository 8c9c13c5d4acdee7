-- +goose Up
-- What waits for dispatch has a narrow table, and what dispatch says of an
-- event another: an event's own row, with its payload and its indexes, is
-- written once, and no dead copy of it is left behind.
create table events_waiting (
    received_at timestamptz not null,
    event_id bigint not null,
    merge_key text not null,
    primary key (received_at, event_id)
) with (vacuum_truncate = false); -- it grows again: PostgreSQL is not to plan for an empty one
create index events_waiting_merge_key on events_waiting (merge_key) where merge_key <> '';
create table dispatches (
    event_id bigint primary key,
    dispatched_at timestamptz not null,
    merged_into bigint,
    match_version bigint not null,
    logged boolean not null
);
create index dispatches_dispatched_at on dispatches (dispatched_at);
create index dispatches_merged_into on dispatches (merged_into) where merged_into is not null;

-- The release before knows only the columns of events. What it accepts waits
-- here as well, and what it dispatches is told here. An event of this release
-- is a dispatched one to it, which it leaves alone. The release after this one
-- drops these triggers with the columns dispatched_at, merged_into,
-- match_version and logged, and their indexes.
-- +goose StatementBegin
create function events_waits() returns trigger language plpgsql as $$
begin
    insert into events_waiting (received_at, event_id, merge_key) values (new.received_at, new.id, new.merge_key);
    return null;
end
$$;
-- +goose StatementEnd
-- +goose StatementBegin
create function events_dispatched() returns trigger language plpgsql as $$
begin
    delete from events_waiting where received_at = new.received_at and event_id = new.id;
    insert into dispatches (event_id, dispatched_at, merged_into, match_version, logged)
        values (new.id, new.dispatched_at, new.merged_into, coalesce(new.match_version, 0), new.logged)
        on conflict (event_id) do update set merged_into = coalesce(excluded.merged_into, dispatches.merged_into);
    return null;
end
$$;
-- +goose StatementEnd
-- +goose StatementBegin
create function events_gone() returns trigger language plpgsql as $$
begin
    delete from events_waiting where received_at = old.received_at and event_id = old.id;
    return null;
end
$$;
-- +goose StatementEnd
create trigger events_waits after insert on events
    for each row when (new.dispatched_at is null) execute function events_waits();
create trigger events_dispatched after update of dispatched_at, merged_into on events
    for each row when (new.dispatched_at is not null) execute function events_dispatched();
create trigger events_gone after delete on events
    for each row execute function events_gone();

insert into events_waiting (received_at, event_id, merge_key)
    select received_at, id, merge_key from events where dispatched_at is null;
