package app_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models/modelstest"
)

// proxied is an environment on a new PostgreSQL database behind a proxy, where
// a statement, and a pause in a transaction, may take half a second.
func proxied(t testing.TB) (env []string, proxy *modelstest.Proxy, direct string) {
	t.Helper()
	env = environment(t, "postgres")
	direct = valueOf(env, "DATABASE_URL")
	proxy = modelstest.NewProxy(t, direct)
	return with(env, "DATABASE_URL", proxy.Through(direct)+"&statement_timeout=500&idle_in_transaction_session_timeout=500"), proxy, direct
}

// with replaces a variable of an environment.
func with(env []string, name, value string) []string {
	rest := slices.DeleteFunc(slices.Clone(env), func(entry string) bool { return strings.HasPrefix(entry, name+"=") })
	return append(rest, name+"="+value)
}

// Connections that neither answer nor close are thrown away: what is accepted
// afterwards is sent, and a stop ends while they hang.
func TestConnectionsThatHangAreThrownAway(t *testing.T) {
	env, proxy, _ := proxied(t)
	in, hook := serve(t, env), newReceiver(t)
	b := in.login()
	b.quick()
	b.createWebhook(webhookForm(hook.URL))
	in.accept(questionJSON("before", 1, ""))
	eventually(t, "a delivery before", func() bool { return len(hook.items(t)) == 1 })

	proxy.Hang()
	since := time.Now()
	accepted := 0
	eventually(t, "a delivery past the hung connections", func() bool {
		a := in.ingest(questionJSON(fmt.Sprint("after-", accepted), 2+accepted, ""))
		switch {
		case a.code == http.StatusAccepted:
			accepted++
		case a.code != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "":
			t.Fatalf("while connections hang: %d %s", a.code, a.body)
		}
		return len(hook.items(t)) > 1
	})
	t.Logf("sent again after %s", time.Since(since))
	eventually(t, "all that was accepted", func() bool { return len(hook.items(t)) == 1+accepted })

	proxy.Hang()
	since = time.Now()
	if err := in.terminate(); err != nil {
		t.Errorf("stopped with %v\n%s", err, in.log)
	}
	t.Logf("stopped after %s", time.Since(since))
}
