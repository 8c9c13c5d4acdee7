-- +goose Up
-- Its condition is another column than that of events_undispatched, though
-- both are set at once: PostgreSQL, which believes that next to nothing waits,
-- else takes that index for each key, and reads all that waits each time.
drop index events_mergeable;
create index events_mergeable on events (merge_key) where match_version is null and merge_key <> '';
