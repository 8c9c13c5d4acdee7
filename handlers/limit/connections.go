package limit

import (
	"container/list"
	"net"
	"net/http"
	"sync"
)

// writeBuffer is how much of an answer the system keeps for a client that does
// not read, in bytes. Linux takes twice as much, and 4 MiB by itself.
const writeBuffer = 64 << 10

// Connections bounds how many connections a server keeps open. Accepting never
// waits: once there are too many, the address group that has most of them loses
// one. If most of its connections are idle, it is the one idle for longest.
// Otherwise it is the one whose request takes longest: usually it does not
// arrive completely, or its client does not read the answer.
//
// Change is for http.Server.ConnState. The zero value is not usable.
type Connections struct {
	most int

	mu     sync.Mutex // guards all that follows
	open   map[net.Conn]*connection
	groups map[string]*connections
	order  uint64 // counts changes
}

// connections are those of an address group, longest in their state first.
type connections struct {
	idle, working list.List // of *connection
}

// connection is an open one: where it stands in its group.
type connection struct {
	conn  net.Conn
	group string
	in    *list.List
	place *list.Element
	order uint64 // of its last change
}

// NewConnections returns a bound of most connections, 1 or more.
func NewConnections(most int) *Connections {
	return &Connections{most: most, open: map[net.Conn]*connection{}, groups: map[string]*connections{}}
}

// Change notes the new state of a connection.
func (c *Connections) Change(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		if len(c.open) >= c.most {
			c.makeRoom()
		}
		if tcp, is := conn.(*net.TCPConn); is {
			_ = tcp.SetWriteBuffer(writeBuffer)
		}
		c.open[conn] = &connection{conn: conn, group: AddressGroup(conn.RemoteAddr().String())}
		c.move(conn, false)
	case http.StateActive:
		c.move(conn, true)
	case http.StateIdle:
		c.move(conn, false)
	case http.StateHijacked, http.StateClosed:
		c.forget(conn)
	}
}

// move puts an open connection behind the others of its group that have a
// request in work, or that have none.
func (c *Connections) move(conn net.Conn, working bool) {
	one := c.open[conn]
	if one == nil {
		return // it was closed to make room
	}
	if one.in != nil {
		one.in.Remove(one.place)
	}
	group := c.groups[one.group]
	if group == nil {
		group = &connections{}
		c.groups[one.group] = group
	}
	one.in = &group.idle
	if working {
		one.in = &group.working
	}
	one.place = one.in.PushBack(one)
	c.order++
	one.order = c.order
}

func (c *Connections) forget(conn net.Conn) {
	one := c.open[conn]
	if one == nil {
		return
	}
	one.in.Remove(one.place)
	delete(c.open, conn)
	if group := c.groups[one.group]; group.len() == 0 {
		delete(c.groups, one.group)
	}
}

// makeRoom closes one connection for a newcomer.
func (c *Connections) makeRoom() {
	var most *connections
	for _, group := range c.groups {
		if most == nil || group.len() > most.len() || group.len() == most.len() && group.oldest().order < most.oldest().order {
			most = group
		}
	}
	oldest := most.oldest().conn
	c.forget(oldest)
	_ = oldest.Close() // its request, if there is one, ends with an error
}

func (g *connections) len() int { return g.idle.Len() + g.working.Len() }

// oldest is the connection of a group to close: of its idle ones or of those with
// a request in work, whichever are more, the one in its state for longest.
func (g *connections) oldest() *connection {
	if g.idle.Len() >= g.working.Len() {
		return first(&g.idle)
	}
	return first(&g.working)
}

func first(l *list.List) *connection {
	one, _ := l.Front().Value.(*connection)
	return one
}
