package web_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/limit"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webhooks"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// TestWaitingPagesUseNoPlaceAtTheDatabase: with one place in all, pages are
// answered while a form is on its way and while a receiver is waited for.
func TestWaitingPagesUseNoPlaceAtTheDatabase(t *testing.T) {
	c := webtest.NewConsole(t)
	c.Site.Queries = limit.New(limit.Config{Places: 1, PerFlow: 1, Queue: 8, Wait: web.BusyWait})
	arrived, answer := make(chan struct{}), make(chan struct{})
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(arrived)
		<-answer
	}))
	defer receiver.Close()
	proceed := sync.OnceFunc(func() { close(answer) })
	defer proceed()
	w := c.AddWebhook(func(in *models.WebhookInput) { in.URL, in.URLShown = receiver.URL, receiver.URL })

	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", c.Server.Listener.Addr().String())
	webtest.OK(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST /theme HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\nCookie: "+web.SessionCookie+"=%s\r\n"+
		"Expect: 100-continue\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 10\r\n\r\n", c.Cookie)
	webtest.OK(t, err)
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || line != "HTTP/1.1 100 Continue\r\n" { // else it is not being read
		t.Fatalf("the form is answered %q: %v", line, err)
	}
	c.Get("/admin/webhooks").Want(http.StatusOK)

	var test sync.WaitGroup
	test.Go(func() { c.Post(webhooks.WebhookPath(w.ID)+"/test", nil).Want(http.StatusOK) })
	<-arrived
	c.Get("/admin/webhooks").Want(http.StatusOK)
	proceed()
	test.Wait()
}
