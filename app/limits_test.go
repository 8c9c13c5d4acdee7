package app_test

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// refusedTarget is the message about every refused target.
const refusedTarget = "Sitehooks is not allowed to send to this address. An operator can allow it by adding the host or its network to SITEHOOKS_ALLOW_TARGETS."

// refuses says whether a target is refused when the form saves or tests it.
func refuses(b *apptest.Browser, target, press string) bool {
	b.T.Helper()
	form := apptest.WebhookForm(target)
	form.Set("do", press)
	return strings.Contains(b.Post("/admin/webhooks/new?type=generic", form).Body, refusedTarget)
}

// TestOwnPortsAreNoTargets: although this machine is allowed, no webhook leads
// to the console itself, however browsers reach it, or to its database, and the
// message is that of any refused address.
func TestOwnPortsAreNoTargets(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		env := append(apptest.Environment(t, kind), "SITEHOOKS_BASE_URL=https://console.example")
		in := apptest.Serve(t, env)
		b := in.Login()
		b.Quick()
		targets := []string{
			in.Base + "/admin/webhooks", strings.Replace(in.Base, "127.0.0.1", "localhost", 1), "http://10.0.0.1/",
			"https://console.example/admin/webhooks", "https://console.example:443/",
		}
		if address := apptest.ValueOf(env, "DATABASE_URL"); address != "" {
			u, err := url.Parse(address)
			ok(t, err)
			targets = append(targets, "http://"+u.Host+"/", "https://localhost:"+u.Port()+"/")
		}
		for _, target := range targets {
			for _, press := range []string{"save", "test"} {
				if !refuses(b, target, press) {
					t.Errorf("%s %s", press, target)
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

// TestOtherInstancesAreNoTargets: no webhook leads to another instance, whose
// addresses are on record, with any role and on all of its interfaces; nor does
// a delivery of a webhook that was saved before.
func TestOtherInstancesAreNoTargets(t *testing.T) {
	env := apptest.Environment(t, "postgres")
	worker := apptest.Serve(t, env, "SITEHOOKS_ROLE=jobs")
	_, port, err := net.SplitHostPort(apptest.FreePort(t))
	ok(t, err)
	everywhere := apptest.Serve(t, env, "SITEHOOKS_ROLE=web", "SITEHOOKS_ADDR=0.0.0.0:"+port)
	in := apptest.Serve(t, env)
	b := in.Login()
	b.Quick()
	for _, target := range []string{worker.Base + "/metrics", everywhere.Base + "/admin/webhooks"} {
		for _, press := range []string{"save", "test"} {
			if !refuses(b, target, press) {
				t.Errorf("%s %s", press, target)
			}
		}
	}
	var recorded string
	ok(t, openDatabase(t, env).QueryRowContext(t.Context(), "select addresses from instances where addresses like '%:"+port+"%'").Scan(&recorded))
	own, err := net.InterfaceAddrs()
	ok(t, err)
	for _, a := range own {
		if at := netip.AddrPortFrom(netip.MustParsePrefix(a.String()).Addr().Unmap(), netip.MustParseAddrPort("0.0.0.0:"+port).Port()); !strings.Contains(recorded, at.String()) {
			t.Errorf("%s is not on record: %s", at, recorded)
		}
	}
	// One that starts later is known within a heartbeat.
	address := apptest.FreePort(t)
	b.CreateWebhook(apptest.WebhookForm("http://" + address + "/superoffice"))
	apptest.Serve(t, env, "SITEHOOKS_ADDR="+address)
	apptest.Eventually(t, "a new instance is refused", func() bool { return refuses(b, "http://"+address+"/", "test") })
	apptest.Eventually(t, "also by the instance that sends", func() bool {
		in.Accept(apptest.QuestionJSON(rand.Text(), 1, ""))
		return strings.Contains(b.Get("/admin/deliveries.json").Body, `"last_error":"blocked"`)
	})
}

// TestSlowAndLargeRequestsAreCut: a request whose head never ends is cut, as
// is one whose head is too large, and others are answered meanwhile.
func TestSlowAndLargeRequestsAreCut(t *testing.T) {
	t.Parallel() // it waits for a time-out of ten seconds
	in := apptest.Serve(t, apptest.Environment(t, "sqlite"))
	dial := func(text string) net.Conn {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(in.Base, "http://"))
		ok(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = io.WriteString(conn, text)
		ok(t, err)
		return conn
	}
	slow := dial("GET /admin/webhooks HTTP/1.1\r\nHost: x\r\nX-Endless: ")
	large := dial("GET /login HTTP/1.1\r\nHost: x\r\nX-Large: " + strings.Repeat("x", 24<<10))
	resp, err := http.ReadResponse(bufio.NewReader(large), nil)
	ok(t, err)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a head of 24 KiB: %d", resp.StatusCode)
	}
	if a, err := apptest.Get(t, http.DefaultClient, in.Base+"/readyz"); err != nil || a.Code != http.StatusOK {
		t.Errorf("meanwhile: %d %v", a.Code, err)
	}
	if answer, err := io.ReadAll(slow); err != nil && len(answer) > 0 {
		t.Errorf("a head without end: %q %v", answer, err)
	}
}

// TestIdleConnectionsKeepNobodyOut: an address may keep every connection that
// is free; beyond them its oldest idle one is closed for a new one, and other
// addresses keep theirs.
func TestIdleConnectionsKeepNobodyOut(t *testing.T) {
	in := apptest.Serve(t, apptest.Environment(t, "sqlite"), "GOMEMLIMIT=32MiB")
	const most = 128 // with so little memory
	dial := func(from string) sender {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		conn, err := d.DialContext(t.Context(), "tcp", strings.TrimPrefix(in.Base, "http://"))
		ok(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		return sender{conn, bufio.NewReader(conn)}
	}
	ask := func(s sender) {
		t.Helper()
		_, err := io.WriteString(s, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
		ok(t, err)
		code, _, err := s.status()
		ok(t, err)
		if code != http.StatusOK {
			t.Errorf("answered %d", code)
		}
	}
	right := dial("127.0.0.2")
	ask(right)
	var strangers []sender
	for range most + 40 {
		s := dial("127.0.0.9")
		ask(s)
		strangers = append(strangers, s)
	}
	for _, s := range strangers[:30] { // some become idle a little later than the next
		ok(t, s.SetReadDeadline(time.Now().Add(apptest.Patience)))
		if _, err := s.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("it was not closed: %v", err)
		}
	}
	ask(strangers[len(strangers)-1])
	ask(right)
	ask(dial("127.0.0.3"))
}

// TestUnreadAnswersKeepNobodyOut: strangers from many addresses ask for more
// than they read on every connection that may be open. New requests are served,
// and the system keeps little of the answers.
func TestUnreadAnswersKeepNobodyOut(t *testing.T) {
	in := apptest.Serve(t, apptest.Environment(t, "sqlite"), "GOMEMLIMIT=32MiB")
	login, err := apptest.Get(t, http.DefaultClient, in.Base+"/login")
	ok(t, err)
	style := regexp.MustCompile(`/static/[^"]*/stacks\.min\.css`).FindString(login.Body)
	big, err := apptest.Get(t, http.DefaultClient, in.Base+style)
	ok(t, err)
	for i := range 128 + 20 {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(i))}}
		conn, err := d.DialContext(t.Context(), "tcp", strings.TrimPrefix(in.Base, "http://"))
		ok(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		tcp, _ := conn.(*net.TCPConn)
		ok(t, tcp.SetReadBuffer(4<<10))
		_, err = io.WriteString(conn, strings.Repeat("GET "+style+" HTTP/1.1\r\nHost: x\r\n\r\n", 20))
		ok(t, err)
	}
	right, err := connect(t.Context(), in)
	ok(t, err)
	defer right.Close()
	body := apptest.QuestionJSON(rand.Text(), 1, "")
	ok(t, right.begin("/api/v1/events", apptest.IngestToken, fmt.Sprintf("Content-Length: %d", len(body))))
	_, err = io.WriteString(right, body)
	ok(t, err)
	if code, _, err := right.status(); err != nil || code != http.StatusAccepted {
		t.Fatalf("the right sender: %d %v", code, err)
	}
	table, err := os.ReadFile("/proc/net/tcp")
	ok(t, err)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(in.Base, "http://"))
	ok(t, err)
	n, err := strconv.Atoi(port)
	ok(t, err)
	for _, c := range regexp.MustCompile(fmt.Sprintf(`: 0100007F:%04X \S+ 01 ([0-9A-F]{8}):`, n)).FindAllSubmatch(table, -1) {
		if queued, err := strconv.ParseUint(string(c[1]), 16, 32); err != nil || int(queued) > len(big.Body)/2 {
			t.Errorf("%d bytes of answers wait for one who does not read (%v)", queued, err)
		}
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
