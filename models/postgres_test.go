package models_test

import (
	"testing"

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
