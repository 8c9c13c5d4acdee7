package app_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOwnPortsAreNoTargets: although this machine is allowed, no webhook leads
// to the console itself or to its database, and what is said is the same as
// of any address that is refused.
func TestOwnPortsAreNoTargets(t *testing.T) {
	onBoth(t, func(t *testing.T, kind string) {
		env := environment(t, kind)
		in := serve(t, env)
		b := in.login()
		b.quick()
		targets := []string{in.base + "/admin/webhooks", strings.Replace(in.base, "127.0.0.1", "localhost", 1), "http://10.0.0.1/"}
		if address := valueOf(env, "DATABASE_URL"); address != "" {
			u, err := url.Parse(address)
			ok(t, err)
			targets = append(targets, "http://"+u.Host+"/", "https://localhost:"+u.Port()+"/")
		}
		for _, target := range targets {
			for _, press := range []string{"save", "test"} {
				form := webhookForm(target)
				form.Set("do", press)
				a := b.post("/admin/webhooks/new?type=generic", form)
				if !strings.Contains(a.body, "Sitehooks may not send to this address. If it should, an operator can add the host or its network to SITEHOOKS_ALLOW_TARGETS.") {
					t.Errorf("%s %s: %d", press, target, a.code)
				}
			}
		}
		var stored int
		ok(t, openDatabase(t, env).QueryRowContext(t.Context(), "select count(*) from webhooks").Scan(&stored))
		if stored != 0 {
			t.Errorf("%d webhooks were stored", stored)
		}
	})
}

// TestSlowAndLargeRequestsAreCut: a request whose head never ends is cut, as
// is one whose head is too large, and others are answered meanwhile.
func TestSlowAndLargeRequestsAreCut(t *testing.T) {
	t.Parallel() // it waits for a time-out of ten seconds
	in := serve(t, environment(t, "sqlite"))
	dial := func(text string) net.Conn {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(in.base, "http://"))
		ok(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = io.WriteString(conn, text)
		ok(t, err)
		return conn
	}
	slow := dial("GET /admin/webhooks HTTP/1.1\r\nHost: x\r\nX-Endless: ")
	large := dial("GET /login HTTP/1.1\r\nHost: x\r\nX-Large: " + strings.Repeat("x", 80<<10))
	resp, err := http.ReadResponse(bufio.NewReader(large), nil)
	ok(t, err)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a head of 80 KiB: %d", resp.StatusCode)
	}
	if a, err := get(t, http.DefaultClient, in.base+"/readyz"); err != nil || a.code != http.StatusOK {
		t.Errorf("meanwhile: %d %v", a.code, err)
	}
	if answer, err := io.ReadAll(slow); err != nil && len(answer) > 0 {
		t.Errorf("a head without end: %q %v", answer, err)
	}
}

// TestDocumentsNameTestsThatExist: each row of the table of attacks names its
// tests as file: Name, and they are there.
func TestDocumentsNameTestsThatExist(t *testing.T) {
	text, err := os.ReadFile("../docs/security.md")
	ok(t, err)
	rows, named := 0, 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if !strings.HasPrefix(line, "| ") || len(cells) != 3 || strings.TrimSpace(cells[0]) == "case" {
			continue
		}
		rows++
		if !strings.Contains(cells[2], ": ") {
			t.Errorf("no test is named: %s", line)
		}
		for group := range strings.SplitSeq(strings.TrimSpace(cells[2]), "; ") {
			file, names, _ := strings.Cut(group, ": ")
			source, err := os.ReadFile(filepath.Join("..", file))
			if err != nil {
				t.Errorf("%s: %v", group, err)
				continue
			}
			for name := range strings.SplitSeq(names, ", ") {
				named++
				if !strings.Contains(string(source), fmt.Sprintf("func %s(", name)) {
					t.Errorf("%s has no %s", file, name)
				}
			}
		}
	}
	if rows < 100 || named < rows {
		t.Errorf("only %d rows with %d tests", rows, named)
	}
}
