package jobs

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sitehooks/sitehooks/models"
)

// meanwhile runs work while a transaction has done something and not ended
// yet, until work waits for it or is done; then the transaction ends.
func (b *bench) meanwhile(work func(context.Context) error, statement string, args ...any) error {
	b.t.Helper()
	tx, err := b.store.Postgres().Begin(b.t.Context())
	ok(b.t, err)
	defer func() { _ = tx.Rollback(context.WithoutCancel(b.t.Context())) }()
	_, err = tx.Exec(b.t.Context(), statement, args...)
	ok(b.t, err)
	done := make(chan error, 1)
	go func() { done <- work(context.WithoutCancel(b.t.Context())) }()
	for !b.blocks(tx) && len(done) == 0 {
		<-time.After(time.Millisecond)
	}
	ok(b.t, tx.Commit(b.t.Context()))
	return <-done
}

// blocks reports whether another session waits for this one's locks.
func (b *bench) blocks(tx pgx.Tx) bool {
	b.t.Helper()
	var n int
	ok(b.t, b.store.Postgres().QueryRow(b.t.Context(), "select count(*) from pg_stat_activity where $1 = any(pg_blocking_pids(pid))",
		int32(tx.Conn().PgConn().PID())).Scan(&n))
	return n > 0
}

func onPostgres(t *testing.T, test func(b *bench)) {
	t.Helper()
	onBoth(t, func(b *bench) {
		if b.store.Postgres() != nil { // SQLite's transactions follow each other
			test(b)
		}
	})
}

func TestWhatIsResentMeanwhileIsNotPruned(t *testing.T) {
	onPostgres(t, func(b *bench) {
		w := pending(b, nil)
		b.deliver(w)
		b.clock.Add(31 * 24 * time.Hour)
		prune := func(ctx context.Context) error { _, err := b.store.Pruning().Step(ctx); return err }
		ok(b.t, b.meanwhile(prune, `with d as (select id, webhook_id from deliveries for share)
			insert into delivery_queue (delivery_id, webhook_id, due_at, round, tries, resend, paced, subject, bytes)
			select id, webhook_id, $1, 0, 1, true, false, 0, 0 from d`, b.clock.Now()))
		if d := b.only(w); !d.Resend || d.DueAt == nil {
			b.t.Errorf("%+v", d.Delivery)
		}
	})
}

func TestWhatIsReleasedMeanwhileDoesNotExpire(t *testing.T) {
	onPostgres(t, func(b *bench) {
		w := pending(b, nil)
		ok(b.t, b.store.Webhooks.Pause(b.t.Context(), admin, w.ID))
		b.clock.Add(31 * 24 * time.Hour)
		prune := func(ctx context.Context) error { _, err := b.store.Pruning().Step(ctx); return err }
		ok(b.t, b.meanwhile(prune, "update webhooks set state = 'active', state_at = $1", b.clock.Now()))
		if d := b.only(w); d.State != models.DeliveryPending || d.DueAt == nil {
			b.t.Errorf("resumed: %+v", d.Delivery)
		}
		b.set(models.EnableGenericWebhooks, "False")
		b.clock.Add(31 * 24 * time.Hour)
		ok(b.t, b.meanwhile(prune, `with run as (update dispatch_runs set next_at = next_at where id = 1)
			update settings set value = 'True' where name = '`+models.EnableGenericWebhooks+"'"))
		if d := b.only(w); d.State != models.DeliveryPending || d.DueAt == nil {
			b.t.Errorf("switched on: %+v", d.Delivery)
		}
	})
}

func TestWhatIsErasedMeanwhileIsNotResent(t *testing.T) {
	onPostgres(t, func(b *bench) {
		w := pending(b, nil)
		b.deliver(w)
		d := b.only(w)
		resend := func(ctx context.Context) error { return b.store.Deliveries.Resend(ctx, admin, d.PublicID) }
		if err := b.meanwhile(resend, "update deliveries set body = ''"); !errors.Is(err, models.ErrErased) {
			b.t.Errorf("resend: %v", err)
		}
		if d := b.only(w); d.Resend || d.DueAt != nil {
			b.t.Errorf("%+v", d.Delivery)
		}
	})
}

// TestFirstAdministratorMadeMeanwhile: of two instances that start at once the
// slower one waits, and then finds that there is an administrator.
func TestFirstAdministratorMadeMeanwhile(t *testing.T) {
	onPostgres(t, func(b *bench) {
		made := false
		first := func(ctx context.Context) (err error) {
			made, err = b.store.Users.CreateFirst(ctx, models.User{Email: "slow@example.com", PasswordHash: "x", Role: models.RoleAdministrator})
			return err
		}
		ok(b.t, b.meanwhile(first, `with turn as (select id from installations where id = 1 for update)
			insert into users (email, name, password_hash, role, must_change_password, created_at)
			select 'quick@example.com', 'Quick', 'x', 'administrator', false, now() from turn`))
		n, err := b.store.Users.Count(b.t.Context())
		ok(b.t, err)
		if made || n != 1 {
			b.t.Errorf("made %v, %d members", made, n)
		}
	})
}
