package models_test

import (
	"testing"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// A machine that is gone without a word must not keep the lock of dispatch.
func TestTheServerNoticesThatAnInstanceIsGone(t *testing.T) {
	s := modelstest.Open(t, modelstest.Options(t, "postgres"))
	var found struct{ Keepalive, Transaction string }
	ok(t, s.DB().Raw(`select current_setting('tcp_keepalives_idle') as keepalive,
		current_setting('idle_in_transaction_session_timeout') as transaction`).Scan(&found).Error)
	if found.Keepalive != "5" || found.Transaction != "12s" {
		t.Errorf("%+v", found)
	}
}

// Events are stored although a transaction that does not end is bringing the
// same location, community and tag, and a later event registers them.
func TestANameWaitsForNoTransaction(t *testing.T) {
	s := modelstest.Open(t, modelstest.Options(t, "postgres"))
	tx, err := s.Postgres().Begin(t.Context())
	ok(t, err)
	for _, insert := range []string{
		"insert into locations (slug, name, created_at) values ('new', 'New', now())",
		"insert into communities (location, slug, created_at) values ('new', 'new', now())",
		"insert into tags (location, name) values ('new', 'new')",
	} {
		_, err = tx.Exec(t.Context(), insert)
		ok(t, err)
	}
	record := func(id string) {
		t.Helper()
		_, _, err := s.Events.Record(t.Context(), []models.NewEvent{{
			EventID: id, Type: "question.created", Location: "new", Community: "new", Tags: []string{"new", "newer"}, Title: id, Payload: []byte("{}"),
		}})
		ok(t, err)
	}
	record("first")
	ok(t, tx.Rollback(t.Context()))
	record("second")
	tags, err := s.Locations.Tags(t.Context(), "new", "", 10)
	ok(t, err)
	if len(tags) != 2 {
		t.Errorf("tags %q", tags)
	}
	_, err = s.Locations.Get(t.Context(), models.AllLocations(), "new")
	ok(t, err)
}
