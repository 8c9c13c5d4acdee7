package models

import "time"

// Roles of a member.
const (
	RoleAdministrator = "administrator"
	RoleViewer        = "viewer" // sees all but bodies, secrets and preview; changes nothing
)

// User is a member who may log in.
type User struct {
	ID                 int64
	Email              string // lower case
	Name               string
	PasswordHash       string // argon2id
	Role               string
	MustChangePassword bool
	CreatedAt          time.Time  `gorm:"autoCreateTime:false"`
	DisabledAt         *time.Time // nil: may log in
	OneTimeUntil       *time.Time // the password has to be changed before; nil: it is their own
	NoMail             bool       // gets no e-mail about webhooks
	Limited            bool       // sees only what belongs to Locations
	Locations          []string   `gorm:"serializer:json"` // slugs, in order; read only if Limited
}

// Within returns the locations that the member may see. A user that is not
// stored may see none.
func (u User) Within() LocationSet {
	switch {
	case u.ID == 0:
		return LocationSet{}
	case u.Limited:
		return OnlyLocations(u.Locations...)
	}
	return AllLocations()
}

// OneTimeFor is how long a one-time password is good.
const OneTimeFor = 7 * 24 * time.Hour

// OneTimeExpired tells whether the member's one-time password is too old.
func (u User) OneTimeExpired(now time.Time) bool {
	return u.MustChangePassword && u.OneTimeUntil != nil && !now.Before(*u.OneTimeUntil)
}

// Actor is the author of an action; the zero Actor is Sitehooks itself.
type Actor struct {
	UserID int64
	Name   string
	From   string // address, in an API with its token; empty: not over the network
}

// Actor returns the user as the author of a change.
func (u User) Actor() Actor { return Actor{UserID: u.ID, Name: u.Name} }

// Scopes of an API token.
const (
	ScopeIngest      = "ingest"      // report events
	ScopeRead        = "read"        // see what a viewer sees, over the management API
	ScopeManage      = "manage"      // do what an administrator does there; includes ScopeRead
	ScopeSuperOffice = "superoffice" // manage webhooks as SuperOffice does
)

// Token is a bearer token of an API; only its hash is stored.
type Token struct {
	ID        int64
	Name      string
	Scope     string
	Location  string // slug; empty: all
	Hash      string
	CreatedBy string
	// CreatedByID is the member who created it; 0: it was made on the command
	// line, or that member was removed since.
	CreatedByID  int64
	MakerRemoved bool      // the member who created it is no longer one
	CreatedAt    time.Time `gorm:"autoCreateTime:false"`
	LastUsedAt   *time.Time
	RevokedAt    *time.Time
}

// Allows says whether the token may do what needs a scope.
func (t Token) Allows(scope string) bool {
	return t.Scope == scope || t.Scope == ScopeManage && scope == ScopeRead
}

// Within returns the locations that the token may see and change.
func (t Token) Within() LocationSet {
	if t.Location == "" {
		return AllLocations()
	}
	return OnlyLocations(t.Location)
}

// Actor returns the author of actions with the token: the member who created
// it, or else the token itself.
func (t Token) Actor() Actor {
	if t.CreatedByID == 0 {
		return Actor{Name: "token " + t.Name}
	}
	return Actor{UserID: t.CreatedByID, Name: t.CreatedBy}
}

// Location is the main site or one Private Team.
type Location struct {
	Slug        string `gorm:"primaryKey"`
	Name        string
	Description string
	MainSite    bool      // an administrator made it one of the main site
	Hidden      bool      // it is not offered in forms
	CreatedAt   time.Time `gorm:"autoCreateTime:false"`
}

// The kinds of locations.
const (
	KindMainSite    = "main_site"
	KindPrivateTeam = "private_team"
)

// KindName is a kind in words.
func KindName(kind string) string {
	if kind == KindMainSite {
		return "Main site"
	}
	return "Private Team"
}

// KindName is its kind in words.
func (l Location) KindName() string { return KindName(l.Kind()) }

// Kind is KindMainSite for the location main and those that an administrator
// made so, and KindPrivateTeam for all others.
func (l Location) Kind() string {
	if l.MainSite || l.Slug == MainLocation {
		return KindMainSite
	}
	return KindPrivateTeam
}

// Community is a further mark on events of a location.
type Community struct {
	Location    string `gorm:"primaryKey"`
	Slug        string `gorm:"primaryKey"`
	Name        string // empty: it has none
	Description string
	Hidden      bool      // it is not offered in forms
	CreatedAt   time.Time `gorm:"autoCreateTime:false"`
}

// Title is a community's name, or its slug made readable.
func (c Community) Title() string {
	if c.Name == "" {
		return NameOf(c.Slug)
	}
	return c.Name
}

// Tag is a tag seen at a location.
type Tag struct {
	Location string `gorm:"primaryKey"`
	Name     string `gorm:"primaryKey"`
	Hidden   bool   // it is not suggested
}
