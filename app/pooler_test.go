package app_test

import (
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// Through PgBouncer an instance works in session mode, and in transaction mode
// where the URL says so; otherwise it names the missing setting at the start.
func TestThroughPgBouncer(t *testing.T) {
	for name, c := range map[string]struct{ mode, parameters string }{
		"session":                       {"session", ""},
		"transaction, exec":             {"transaction", "&default_query_exec_mode=exec"},
		"transaction, cache_describe":   {"transaction", "&default_query_exec_mode=cache_describe"},
		"transaction, its own timeouts": {"transaction", "&default_query_exec_mode=exec&statement_timeout=5000&idle_in_transaction_session_timeout=5000"},
	} {
		t.Run(name, func(t *testing.T) {
			env := apptest.Environment(t, "postgres")
			env = with(env, "DATABASE_URL", modelstest.PgBouncer(t, apptest.ValueOf(env, "DATABASE_URL"), c.mode)+c.parameters)
			both := []*apptest.Instance{apptest.Launch(t, env), apptest.Launch(t, env)} // at once, on an empty database
			for _, in := range both {
				in.Ready()
			}
			hook := apptest.NewReceiver(t)
			b := both[0].Login()
			b.Quick()
			b.CreateWebhook(apptest.WebhookForm(hook.URL))
			for i, in := range both {
				in.Accept(apptest.QuestionJSON(in.Base, i+1, `,"location":"main","community":"through-a-pooler"`))
			}
			apptest.Eventually(t, "both deliveries", func() bool { return len(hook.Items(t)) == 2 })
			for _, in := range both {
				if err := in.Terminate(); err != nil {
					t.Errorf("stopped with %v\n%s", err, in.Log)
				}
				if strings.Contains(in.Log.String(), "level=ERROR") {
					t.Errorf("errors in the log\n%s", in.Log)
				}
			}
		})
	}
}

func TestAPoolerThatDoesNotWorkIsNamed(t *testing.T) {
	for name, parameters := range map[string]string{"as it is": "", "simple protocol": "&default_query_exec_mode=simple_protocol"} {
		t.Run(name, func(t *testing.T) {
			env := apptest.Environment(t, "postgres")
			env = with(env, "DATABASE_URL", modelstest.PgBouncer(t, apptest.ValueOf(env, "DATABASE_URL"), "transaction")+parameters)
			_, stderr, err := apptest.Output(t, append(env, "SITEHOOKS_ADDR="+apptest.FreePort(t)), "", "serve")
			if err == nil || len(apptest.Lines(stderr)) != 1 || !strings.Contains(stderr, "pooler in transaction mode") || !strings.Contains(stderr, "default_query_exec_mode=exec") {
				t.Errorf("%v\n%s", err, stderr)
			}
		})
	}
}

// A start that waits for another instance's migration says so.
func TestAStartThatWaitsForAMigrationSaysSo(t *testing.T) {
	env := apptest.Environment(t, "postgres")
	tx, err := openDatabase(t, env).BeginTx(t.Context(), nil)
	ok(t, err)
	_, err = tx.ExecContext(t.Context(), "select pg_advisory_xact_lock(7236113902)")
	ok(t, err)
	in := apptest.Launch(t, env)
	apptest.Eventually(t, "that it waits", func() bool {
		return strings.Contains(in.Log.String(), "waiting for another instance to bring the schema up to date")
	})
	ok(t, tx.Rollback())
	in.Ready()
}
