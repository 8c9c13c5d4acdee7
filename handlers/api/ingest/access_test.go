package ingest

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/models"
)

// slowTokens holds the look-ups of unknown tokens until it is told to go on.
type slowTokens struct {
	fakeTokens
	inside  chan struct{}
	proceed chan struct{}
	mu      sync.Mutex
	now     int // unknown tokens being looked up
	most    int
	known   int // look-ups of tokens that there are
}

func (s *slowTokens) count(unknown, known int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now += unknown
	s.known += known
	s.most = max(s.most, s.now)
}

func (s *slowTokens) Authenticate(ctx context.Context, plain string) (models.Token, error) {
	if _, known := s.fakeTokens[plain]; known {
		s.count(0, 1)
		return s.fakeTokens.Authenticate(ctx, plain)
	}
	s.count(1, 0)
	defer s.count(-1, 0)
	s.inside <- struct{}{}
	<-s.proceed
	return models.Token{}, models.ErrUnauthorized
}

// TestFalseTokensDoNotHoldUpRightOnes: however many false tokens wait to be
// looked up, only a few are at the database, and a token that was valid before
// does not wait for them. It is looked up again each time.
func TestFalseTokensDoNotHoldUpRightOnes(t *testing.T) {
	const flood = 50
	tokens := &slowTokens{fakeTokens: testTokens, inside: make(chan struct{}, flood), proceed: make(chan struct{})}
	e := newTestEvents(&fakeStore{})
	e.Access.Tokens = tokens
	url := serve(t, e)
	right := func() {
		t.Helper()
		if r := post(t, url, event, "Authorization", "Bearer stored"); r.status != http.StatusAccepted {
			t.Errorf("right token: %d %s", r.status, r.body)
		}
	}
	right()
	var wrong sync.WaitGroup
	for i := range flood {
		wrong.Go(func() {
			if r := post(t, url, event, "Authorization", "Bearer false "+strconv.Itoa(i)); r.status != http.StatusUnauthorized {
				t.Errorf("false token: %d %s", r.status, r.body)
			}
		})
	}
	for range api.StrangersAtOnce {
		<-tokens.inside
	}
	right()
	close(tokens.proceed)
	wrong.Wait()
	tokens.mu.Lock()
	defer tokens.mu.Unlock()
	if tokens.most != api.StrangersAtOnce || tokens.known != 2 {
		t.Errorf("%d false tokens were looked up at once, and the right one %d times", tokens.most, tokens.known)
	}
}

// TestARevokedTokenIsForgotten: it is refused by the next request, and stands
// among the unknown ones from then on.
func TestARevokedTokenIsForgotten(t *testing.T) {
	tokens := fakeTokens{"stored": testTokens["stored"]}
	e := newTestEvents(&fakeStore{})
	e.Access.Tokens = tokens
	url := serve(t, e)
	post(t, url, event, "Authorization", "Bearer stored")
	delete(tokens, "stored")
	if r := post(t, url, event, "Authorization", "Bearer stored"); r.status != http.StatusUnauthorized || e.Access.Known() != 0 {
		t.Errorf("%d, %d known", r.status, e.Access.Known())
	}
}
