package db_test

import (
	"testing"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// TestABrokenConnectionIsTheFaultOfTheDatabase, at whichever statement of a transaction
// it breaks or falls silent: those who ask are told to come again, and the next
// transaction has another connection.
func TestABrokenConnectionIsTheFaultOfTheDatabase(t *testing.T) {
	for _, at := range []string{"begin", "insert into t", "commit"} {
		for _, fault := range []string{"breaks", "is silent"} {
			t.Run(fault+" at "+at, func(t *testing.T) {
				t.Parallel()
				direct := modelstest.Options(t, "postgres").DatabaseURL
				run(t, direct, "create table t (id bigint)")
				proxy := modelstest.NewProxy(t, direct)
				d, err := start(t, with(proxy.Through(direct), "statement_timeout=100"))
				ok(t, err)
				insert := func(tx *gorm.DB) error { return tx.Exec("insert into t (id) values (?)", 7).Error }
				stored := func() (n int64) {
					ok(t, d.Tx(t.Context(), func(tx *gorm.DB) error { return tx.Raw("select count(*) from t").Scan(&n).Error }))
					return n
				}
				hit := proxy.HangAt(at)
				if fault == "breaks" {
					go func() {
						<-hit
						proxy.Cut()
					}()
				}
				err = d.Tx(t.Context(), insert)
				if why := db.Unable(err); why != "the database cannot be reached" && (why != "the database does not answer" || fault == "breaks") {
					t.Errorf("%q, of %v", why, err)
				}
				select {
				case <-d.Doubt():
				default:
					t.Error("nobody looks whether anything can be stored")
				}
				equal(t, "able", d.Able(), nil) // one connection says nothing about the others
				equal(t, "stored", stored(), 0)
				ok(t, d.Tx(t.Context(), insert))
				equal(t, "stored at last", stored(), 1)
			})
		}
	}
}
