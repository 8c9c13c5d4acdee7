package limit_test

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/limit"
)

// peer is a connection from an address.
type peer struct {
	net.Conn
	from   string
	closed bool
}

func (p *peer) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(p.from))
}

func (p *peer) Close() error {
	p.closed = true
	return nil
}

// TestConnectionsGiveRoom: which connection is closed for the fifth of four.
func TestConnectionsGiveRoom(t *testing.T) {
	// A letter is an address, the digit one of its connections. *: a request is
	// in work on it; ~: no more; -: it was closed.
	for name, tc := range map[string]struct{ steps, closed string }{
		"the oldest of the address with most":  {"a1 a2 b1 a3 b2", "a1"},
		"one in work stays":                    {"a1* a2 b1 a3 b2", "a2"},
		"one that was in work is the newest":   {"a1 a2 a3 a1* a1~ b1 b2", "a2"},
		"among equals the oldest":              {"a1 b1 c1 d1 e1", "a1"},
		"all in work: the address with most":   {"c1* a1* a2* b1* d1", "a1"},
		"all in work, one of each: the oldest": {"a1* b1* c1* d1* e1", "a1"},
		"an IPv6 network is one address":       {"a1 v1 b1 v2 c1", "v1"},
		"one that went makes room":             {"a1 a2 a3 a4 a1- b1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := limit.NewConnections(4)
			peers := map[string]*peer{}
			for step := range strings.FieldsSeq(tc.steps) {
				who := strings.TrimRight(step, "*~-")
				p := peers[who]
				if p == nil {
					port := "100" + who[1:]
					from := "192.0.2." + string(rune('1'+who[0]-'a')) + ":" + port
					if who[0] == 'v' {
						from = "[2001:db8::" + who[1:] + "]:" + port
					}
					p = &peer{from: from}
					peers[who] = p
					c.Change(p, http.StateNew)
				}
				switch step[len(step)-1] {
				case '*':
					c.Change(p, http.StateActive)
				case '~':
					c.Change(p, http.StateIdle)
				case '-':
					c.Change(p, http.StateClosed)
				}
			}
			var closed []string
			for who, p := range peers {
				if p.closed {
					closed = append(closed, who)
				}
				c.Change(p, http.StateClosed) // also of one that was closed to make room
			}
			if got := strings.Join(closed, " "); got != tc.closed {
				t.Errorf("closed: %q, want %q", got, tc.closed)
			}
		})
	}
}
