package app_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/models"
)

// sender posts to an instance over a connection of its own, as slowly as it
// likes.
type sender struct {
	net.Conn
	answers *bufio.Reader
}

func connect(ctx context.Context, in *apptest.Instance) (sender, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", strings.TrimPrefix(in.Base, "http://"))
	if err != nil {
		return sender{}, err
	}
	return sender{conn, bufio.NewReader(conn)}, nil
}

// begin sends the head of a POST; token may be empty. Lines are more headers.
func (s sender) begin(path, token string, lines ...string) error {
	if token != "" {
		lines = append(lines, "Authorization: Bearer "+token)
	}
	_, err := fmt.Fprintf(s, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%s\r\n\r\n", path, strings.Join(lines, "\r\n"))
	return err
}

// status is that of the next answer, whose body is read.
func (s sender) status() (int, http.Header, error) {
	resp, err := http.ReadResponse(s.answers, nil)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Header, err
}

// enter begins a request and waits until the instance asks for its body, so
// that it has its place.
func enter(in *apptest.Instance, path, token string, lines ...string) sender {
	in.T.Helper()
	s, err := connect(in.T.Context(), in)
	ok(in.T, err)
	in.T.Cleanup(func() { _ = s.Close() })
	ok(in.T, s.begin(path, token, append(lines, "Expect: 100-continue")...))
	code, _, err := s.status()
	ok(in.T, err)
	if code != http.StatusContinue {
		in.T.Fatalf("not let in: %d", code)
	}
	return s
}

// newToken makes a token of an installation that may be running.
func newToken(t testing.TB, env []string, scope string, more ...string) string {
	t.Helper()
	token, errs, err := apptest.Output(t, env, "", append([]string{"token", "create", "--name", "another", "--scope", scope}, more...)...)
	if err != nil {
		t.Fatalf("%v %s", err, errs)
	}
	return strings.TrimSpace(token)
}

// call sends a request with a token.
func call(in *apptest.Instance, method, path, token, body string) apptest.Answer {
	in.T.Helper()
	req, err := http.NewRequestWithContext(in.T.Context(), method, in.Base+path, strings.NewReader(body))
	ok(in.T, err)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	a, err := apptest.Do(in.T, http.DefaultClient, req)
	ok(in.T, err)
	return a
}

// besiege opens connections again and again, each with the head of a large
// request and one byte of it, until it is told to stop.
func besiege(in *apptest.Instance, connections int, path string, tokens ...string) (stop func()) {
	ctx, cancel := context.WithCancel(in.T.Context())
	var done, open sync.WaitGroup
	open.Add(connections)
	for i := range connections {
		done.Go(func() {
			for first := true; ctx.Err() == nil; first = false {
				s, err := connect(ctx, in)
				if err == nil {
					end := context.AfterFunc(ctx, func() { _ = s.Close() })
					if err = s.begin(path, tokens[i%len(tokens)], "Content-Length: 1000000"); err == nil {
						_, _ = io.WriteString(s, "{")
					}
					if first {
						open.Done()
					}
					_, _, _ = s.status()
					end()
					_ = s.Close()
				} else if first {
					open.Done()
				}
			}
		})
	}
	open.Wait()
	return func() { cancel(); done.Wait() }
}

// TestStrangersTakeNoPlace: requests without a valid token do not block others,
// however many unfinished ones there are.
func TestStrangersTakeNoPlace(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		env := apptest.Environment(t, kind)
		in := apptest.Serve(t, env)
		crm := newToken(t, env, models.ScopeSuperOffice)
		for path, post := range map[string]func(i int) apptest.Answer{
			"/api/v1/events":              func(i int) apptest.Answer { return in.Ingest(fmt.Sprintf(`{"id":"e%d","type":"lead.scored"}`, i)) },
			"/superoffice/api/v1/Webhook": func(int) apptest.Answer { return call(in, http.MethodGet, "/superoffice/api/v1/Webhook", crm, "") },
		} {
			stop := besiege(in, 300, path, "", "shk_"+strings.Repeat("0", 64))
			refused := 0
			for i := range 100 {
				if a := post(i); a.Code/100 != 2 {
					refused++
				}
			}
			stop()
			if refused > 0 {
				t.Errorf("%s: %d of 100 of the right sender were refused", path, refused)
			}
		}
	})
}

// TestOneTokenLeavesPlacesToOthers: requests that do not end fill every place
// that is free, and give them back when another token asks for one.
func TestOneTokenLeavesPlacesToOthers(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		env := apptest.Environment(t, kind)
		in := apptest.Serve(t, env)
		other := newToken(t, env, models.ScopeIngest)
		for name, head := range map[string]string{"of unknown length": "Transfer-Encoding: chunked", "short": "Content-Length: 100"} {
			strangers := make([]sender, 256)
			for i := range strangers {
				strangers[i] = enter(in, "/api/v1/events", apptest.IngestToken, head)
				if _, err := io.WriteString(strangers[i], "1\r\n{\r\n"); err != nil {
					t.Fatal(err)
				}
			}
			for i := range 5 {
				a := call(in, http.MethodPost, "/api/v1/events", other, fmt.Sprintf(`{"id":"%s %d","type":"lead.scored"}`, name, i))
				if a.Code != http.StatusAccepted {
					t.Errorf("bodies %s: another token got %d %s", name, a.Code, a.Body)
				}
			}
			// The oldest gave its place.
			code, header, err := strangers[0].status()
			if err != nil || code != http.StatusTooManyRequests || header.Get("Retry-After") == "" {
				t.Errorf("bodies %s: the first got %d %v %v", name, code, header, err)
			}
			for _, s := range strangers {
				_ = s.Close()
			}
		}
	})
}

// TestOneTokenAloneMayUseEveryPlace: 64 unfinished bodies, the lengths of
// which nobody knows, are all accepted once they end.
func TestOneTokenAloneMayUseEveryPlace(t *testing.T) {
	in := apptest.Serve(t, apptest.Environment(t, "sqlite"))
	senders := make([]sender, 64)
	for i := range senders {
		senders[i] = enter(in, "/api/v1/events", apptest.IngestToken, "Transfer-Encoding: chunked")
	}
	for i, s := range senders {
		body := fmt.Sprintf(`{"id":"e%d","type":"lead.scored"}`, i)
		_, err := fmt.Fprintf(s, "%x\r\n%s\r\n0\r\n\r\n", len(body), body)
		ok(t, err)
		if code, _, err := s.status(); err != nil || code != http.StatusAccepted {
			t.Errorf("connection %d: %d %v", i, code, err)
		}
	}
}

// TestOneTokenLeavesSuperOfficeToOthers: tests of a receiver that accepts
// connections and says nothing fill every place of SuperOffice's API, and
// another token is answered.
func TestOneTokenLeavesSuperOfficeToOthers(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		env := apptest.Environment(t, kind)
		in := apptest.Serve(t, env)
		in.Login().Quick()
		silent, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		ok(t, err)
		defer silent.Close()
		slow, other := newToken(t, env, models.ScopeSuperOffice), newToken(t, env, models.ScopeSuperOffice)
		definition := fmt.Sprintf(`{"Name":"slow","Events":["contact.created"],"TargetUrl":"https://%s/"}`, silent.Addr())
		strangers := make([]sender, 64)
		for i := range strangers {
			strangers[i] = enter(in, "/superoffice/api/v1/Webhook/Test", slow, fmt.Sprintf("Content-Length: %d", len(definition)))
			_, err := io.WriteString(strangers[i], definition)
			ok(t, err)
			conn, err := silent.Accept()
			ok(t, err)
			defer conn.Close()
		}
		if a := call(in, http.MethodGet, "/superoffice/api/v1/Webhook", other, ""); a.Code != http.StatusOK {
			t.Errorf("another token got %d %s", a.Code, a.Body)
		}
		if code, header, err := strangers[0].status(); err != nil || code != http.StatusTooManyRequests || header.Get("Retry-After") == "" {
			t.Errorf("the first test got %d %v %v", code, header, err)
		}
	})
}

// TestLongDefinitionsCostLittle: a definition, or a form, that is as large as it
// may be and full of names costs no more than reading it does.
func TestLongDefinitionsCostLittle(t *testing.T) {
	env := apptest.Environment(t, "sqlite")
	in := apptest.Serve(t, env)
	b := in.Login()
	b.Quick()
	names := func(n int, format string) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(format, i)
		}
		return strings.Join(list, ",")
	}
	crm := newToken(t, env, models.ScopeSuperOffice)
	form := apptest.WebhookForm("https://127.0.0.1:1/")
	form.Set("custom", names(60_000, "a.b%d"))
	for what, send := range map[string]func() apptest.Answer{
		"properties": func() apptest.Answer {
			return call(in, http.MethodPost, "/superoffice/api/v1/Webhook/Test", crm,
				`{"Name":"N","Events":["contact.created"],"TargetUrl":"https://127.0.0.1:1/","Properties":{`+names(250_000, `"%d":1`)+`}}`)
		},
		"custom activities": func() apptest.Answer { return b.Post("/admin/webhooks/new?type=superoffice", form) },
	} {
		before := apptest.Processes(t)[in.Cmd.Process.Pid].Seconds
		a := send()
		took := apptest.Processes(t)[in.Cmd.Process.Pid].Seconds - before
		t.Logf("%s: %d after %.1f s of a processor", what, a.Code, took)
		if a.Code != http.StatusBadRequest && a.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %.300s", what, a.Code, a.Body)
		}
		if took > 3 {
			t.Errorf("%s took %.1f s of a processor", what, took)
		}
	}
}
