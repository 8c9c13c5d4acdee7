package web

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"

	"github.com/sitehooks/sitehooks/models"
)

const (
	// SessionCookie is the name of the cookie that holds a session's signed id.
	SessionCookie = "sitehooks_session"

	touchAfter  = time.Minute // last-seen times are written at most this often
	sessionUser = "user"      // key of the user's id among a session's values
	sessionOnce = "keeps"     // whether something is kept with the session; see Site.keep
	// unattendedHeader marks requests that a page sends by itself. They do not
	// prolong the session.
	unattendedHeader = "X-Unattended"
)

// sessionCookies is a store of gorilla sessions that keeps them on the server:
// the cookie is a random id, signed, the row is found by the id's hash, so that
// neither a stolen database nor a guess opens a session, and deleting the row
// ends it, as giving up the key ends all.
// How long a session lasts is decided by models.
type sessionCookies struct {
	Rows    *models.Sessions
	Codecs  []securecookie.Codec // sign the id; the first writes, all read
	options sessions.Options
}

func newSessionCookies(rows *models.Sessions, secure bool, keys [][]byte) *sessionCookies {
	var codecs []securecookie.Codec
	for _, key := range keys {
		codecs = append(codecs, securecookie.New(key, nil).MaxAge(int(models.SessionMax.Seconds())))
	}
	return &sessionCookies{Rows: rows, Codecs: codecs, options: sessions.Options{
		Path: "/", MaxAge: int(models.SessionMax.Seconds()), HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	}}
}

// Get returns the request's session, loaded once a request.
func (st *sessionCookies) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(st, name)
}

// New loads the session that the cookie names; an unknown or expired one is
// replaced by a new, empty one that has no id yet.
func (st *sessionCookies) New(r *http.Request, name string) (*sessions.Session, error) {
	session := sessions.NewSession(st, name)
	options := st.options
	session.Options = &options
	session.IsNew = true
	cookie, err := r.Cookie(name)
	if err != nil {
		return session, nil //nolint:nilerr // no cookie: no session
	}
	var id string
	if securecookie.DecodeMulti(name, cookie.Value, &id, st.Codecs...) != nil {
		return session, nil //nolint:nilerr // not ours, or signed with a key that is gone: no session
	}
	key := SessionKey(id)
	row, err := st.Rows.Get(r.Context(), key)
	if errors.Is(err, models.ErrNotFound) {
		return session, nil
	}
	if err != nil {
		return session, err
	}
	if time.Since(row.SeenAt) > touchAfter && r.Header.Get(unattendedHeader) == "" {
		if err = st.Rows.Touch(r.Context(), key); err != nil && models.Unable(err) == "" { // pages are read also when nothing can be stored
			return session, err
		}
	}
	session.ID, session.IsNew = id, false
	session.Values[sessionUser], session.Values[sessionOnce] = row.UserID, row.ValueUntil != nil
	return session, nil
}

// Save stores the session, with a new id when it has none, and sets its cookie;
// a negative MaxAge ends it.
func (st *sessionCookies) Save(r *http.Request, w http.ResponseWriter, session *sessions.Session) error {
	if session.Options.MaxAge < 0 {
		if session.ID != "" {
			if err := st.Rows.Delete(r.Context(), SessionKey(session.ID)); err != nil {
				return err
			}
		}
		http.SetCookie(w, sessions.NewCookie(session.Name(), "", session.Options))
		return nil
	}
	if session.ID == "" {
		session.ID = rand.Text() + rand.Text() // 260 random bits
	}
	user, _ := session.Values[sessionUser].(int64)
	row := models.Session{Key: SessionKey(session.ID), UserID: user, Data: []byte{}}
	if err := st.Rows.Save(r.Context(), row); err != nil {
		return err
	}
	signed, err := securecookie.EncodeMulti(session.Name(), session.ID, st.Codecs...)
	if err != nil {
		return err
	}
	http.SetCookie(w, sessions.NewCookie(session.Name(), signed, session.Options))
	return nil
}

// SessionKey is the form in which the database stores a session's id: its
// SHA-256 in base64url.
func SessionKey(id string) string {
	sum := sha256.Sum256([]byte(id))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
