package modelstest

import (
	"bytes"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// Proxy stands between a program and a PostgreSQL server, and behaves badly
// when it is told to.
type Proxy struct {
	listener net.Listener
	server   string // host and port
	over     chan struct{}

	mu    sync.Mutex
	open  map[*proxied]struct{}
	gates []*gate
	hangs bool // new ones hang too
}

// proxied is one connection of a client.
type proxied struct {
	client, server net.Conn
	hung           chan struct{} // closed: nothing is passed on any more
	hang           func()        // closes hung, once
}

// gate hangs the connection whose client sends a text.
type gate struct {
	text []byte
	hit  chan struct{}
}

// NewProxy stands before the server of a URL until the test ends.
func NewProxy(t testing.TB, databaseURL string) *Proxy {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: l, server: u.Host, over: make(chan struct{}), open: map[*proxied]struct{}{}}
	t.Cleanup(p.close)
	go p.accept()
	return p
}

// Through is the URL of a database of the server, with the proxy before it.
func (p *Proxy) Through(databaseURL string) string {
	return strings.Replace(databaseURL, p.server, p.listener.Addr().String(), 1)
}

// Hang makes all connections that are open neither pass anything on nor close,
// as when a firewall or a load balancer has forgotten them. New ones work.
func (p *Proxy) Hang() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		c.hang()
	}
}

// HangAll makes those that come hang too, as when the server stands still, or
// lets new ones work again.
func (p *Proxy) HangAll(on bool) {
	p.mu.Lock()
	p.hangs = on
	p.mu.Unlock()
	if on {
		p.Hang()
	}
}

// HangAt hangs the next connection whose client sends the text in one piece,
// before that is passed on, as when the client is frozen at this moment. The
// channel is closed when it has happened.
func (p *Proxy) HangAt(text string) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := &gate{[]byte(text), make(chan struct{})}
	p.gates = append(p.gates, g)
	return g.hit
}

// Cut closes all connections that are open.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		c.close()
	}
}

func (p *Proxy) close() {
	close(p.over)
	_ = p.listener.Close()
	p.Cut()
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		hung := make(chan struct{})
		c := &proxied{client, server, hung, sync.OnceFunc(func() { close(hung) })}
		p.mu.Lock()
		p.open[c] = struct{}{}
		if p.hangs {
			c.hang()
		}
		p.mu.Unlock()
		go p.pass(c, server, client, func([]byte) {})
		go p.pass(c, client, server, func(data []byte) { p.hangAtGate(c, data) })
	}
}

// pass copies one direction until it ends, which ends the other one too, or
// until the connection hangs.
func (p *Proxy) pass(c *proxied, from, to net.Conn, observe func(data []byte)) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		observe(buffer[:n])
		select {
		case <-c.hung:
			<-p.over
			return
		default:
		}
		if _, failed := to.Write(buffer[:n]); err != nil || failed != nil {
			p.mu.Lock()
			delete(p.open, c)
			p.mu.Unlock()
			c.close()
			return
		}
	}
}

// hangAtGate hangs a connection whose client sends the text that a gate waits for.
func (p *Proxy) hangAtGate(c *proxied, data []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, g := range p.gates {
		if bytes.Contains(data, g.text) {
			p.gates = append(p.gates[:i], p.gates[i+1:]...)
			c.hang()
			close(g.hit)
			return
		}
	}
}

func (c *proxied) close() {
	_ = c.client.Close()
	_ = c.server.Close()
}
