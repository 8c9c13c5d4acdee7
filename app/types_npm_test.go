package app_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// npmFolder holds the vendors' own packages and the scripts that call them.
const npmFolder = "../jobs/wire/testdata/npm"

func node(t *testing.T, script string) *exec.Cmd {
	t.Helper()
	if _, err := os.Stat(npmFolder + "/node_modules"); err != nil {
		t.Fatal("the vendors' npm packages are missing; this command installs them: make setup")
	}
	cmd := exec.CommandContext(t.Context(), "node", script)
	cmd.Dir, cmd.Stderr = npmFolder, t.Output()
	return cmd
}

// TestVendorsPackagesTakeWhatWasDelivered lets npm's svix, standardwebhooks and
// @slack/webhook judge requests that the running program sent.
func TestVendorsPackagesTakeWhatWasDelivered(t *testing.T) {
	hook, trust := apptest.NewTypesReceiver(t)
	in := apptest.Serve(t, apptest.Environment(t, "sqlite"), trust)
	b := in.Login()
	b.Quick()
	for _, name := range []string{"generic", "slack", "stackauth"} {
		b.CreateType(name, apptest.TypeForm(name, hook.URL))
	}
	in.Accept(apptest.QuestionJSON("Grüße & <b> 🙂", 1, ""))
	apptest.Eventually(t, "three deliveries", func() bool { return len(hook.Got()) >= 3 })

	type judged struct {
		Name    string            `json:"name"`
		Referee string            `json:"referee"`
		Secret  string            `json:"secret"`
		Headers map[string]string `json:"headers"`
		Body    string            `json:"body"`
	}
	var requests []judged
	refused := map[string]bool{}
	ask := func(name, referee, secret string, d apptest.Delivered, no bool) {
		headers := map[string]string{}
		for h := range d.Header {
			headers[strings.ToLower(h)] = d.Header.Get(h)
		}
		name = referee + " " + name
		requests = append(requests, judged{name, referee, secret, headers, string(d.Body)})
		refused[name] = no
	}
	for referee, name := range map[string]string{"svix": "stackauth", "standardwebhooks": "stackauth", "standardwebhooks raw": "generic"} {
		d, secret := hook.Of(name)[0], apptest.TypeSecrets[name]
		ask("as it came", referee, secret, d, false)
		ask("changed body", referee, secret, apptest.Delivered{Header: d.Header, Body: append([]byte(" "), d.Body...)}, true)
		other := strings.Replace(secret, "d", "e", 1)
		ask("another secret", referee, other, d, true)
		old := d.Header.Clone()
		for _, h := range []string{"svix-timestamp", "webhook-timestamp"} {
			if old.Get(h) != "" {
				old.Set(h, "1614265330")
			}
		}
		ask("old timestamp", referee, secret, apptest.Delivered{Header: old, Body: d.Body}, true)
	}
	ask("as it came", "slack", "", hook.Of("slack")[0], false)

	input, err := json.Marshal(requests)
	ok(t, err)
	cmd := node(t, "referees.cjs")
	cmd.Stdin = bytes.NewReader(input)
	output, err := cmd.Output()
	ok(t, err)
	verdicts := map[string]string{}
	ok(t, json.Unmarshal(output, &verdicts))
	for name, no := range refused {
		verdict, detail := verdicts[name]
		if !detail || (verdict != "") != no || no && !strings.HasPrefix(verdict, "WebhookVerificationError: ") {
			t.Errorf("%s: %q, refused must be %v", name, verdict, no)
		}
	}
}

// TestSuperOfficesClientDrivesTheProgram runs the vendor's own client against
// the program and a receiver over https.
func TestSuperOfficesClientDrivesTheProgram(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		hook, trust := apptest.NewTypesReceiver(t)
		var failed atomic.Bool
		keep := hook.Config.Handler
		hook.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			event := r.Header.Get("X-SuperOffice-Event")
			// The first message about a closed window fails, for LastError.
			if event == "window.closed" && failed.CompareAndSwap(false, true) {
				w.WriteHeader(http.StatusInternalServerError)
			} else {
				keep.ServeHTTP(httptest.NewRecorder(), r)
			}
			_, _ = w.Write([]byte("thanks for " + event))
		})
		env := append(apptest.Environment(t, kind), trust)
		token, errs, err := apptest.Output(t, env, "", "token", "create", "--name", "crm", "--scope", "superoffice")
		if err != nil {
			t.Fatalf("token create: %v %s", err, errs)
		}
		in := apptest.Serve(t, env)
		in.Login().Quick()
		cmd := node(t, "superoffice.cjs")
		cmd.Env = append(os.Environ(), "BASE="+in.Base+"/superoffice/api", "TOKEN="+strings.TrimSpace(token), "CREATOR=token crm",
			"TARGET="+hook.URL+"/hook", "INSECURE=http://127.0.0.1:1/hook")
		proceed, err := cmd.StdinPipe()
		ok(t, err)
		printed, err := cmd.StdoutPipe()
		ok(t, err)
		ok(t, cmd.Start())
		if line, err := bufio.NewReader(printed).ReadString('\n'); err == nil && line == "signalled\n" {
			apptest.Eventually(t, "both messages", func() bool {
				events := map[string]bool{}
				for _, d := range hook.Got() {
					events[d.Header.Get("X-SuperOffice-Event")] = true
				}
				return events["contact.created"] && events["window.closed"]
			})
		}
		ok(t, proceed.Close())
		if err := cmd.Wait(); err != nil {
			t.Fatalf("the client: %v\n%s", err, in.Log)
		}
	})
}
