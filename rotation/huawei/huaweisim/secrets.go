package huaweisim

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Secret states.
const (
	SecretEnabled       = "ENABLED"
	SecretDisabled      = "DISABLED"
	SecretPendingDelete = "PENDING_DELETE"
	SecretFrozen        = "FROZEN"
)

// The stages that every secret has. https://support.huaweicloud.com/intl/en-us/productdesc-dew/dew_01_8881.html
const (
	stageCurrent  = "SYSCURRENT"
	stagePrevious = "SYSPREVIOUS"
)

const (
	maxSecrets  = 200 // per project
	maxVersions = 20  // per secret
	maxStages   = 12  // per secret, the two built in included
	maxValue    = 32 << 10
)

type secret struct {
	id, name, description string
	state                 string
	created               time.Time
	number                int               // how many secrets of the region were created before it
	last                  int               // the number of the newest version
	versions              []*secretVersion  // oldest first
	stages                map[string]staged // by name
}

type secretVersion struct {
	number  int
	value   string // as given: text, or base64
	binary  bool
	created time.Time
	expires int64 // zero means never
}

// staged is where a stage is.
type staged struct {
	version int
	since   time.Time
}

func (v *secretVersion) id() string { return versionID(v.number) }

func versionID(number int) string { return "v" + strconv.Itoa(number) }

// Secret returns the value of every version of a secret by version id, of the first region that has the secret. Nil
// means that there is no such secret; binary values are as base64.
func (c *Cloud) Secret(name string) map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.anySecret(name)
	if s == nil {
		return nil
	}
	values := make(map[string]string, len(s.versions))
	for _, v := range s.versions {
		values[v.id()] = v.value
	}
	return values
}

// Stages returns the version id of every stage of a secret, of the first region that has the secret. Nil means that there
// is no such secret.
func (c *Cloud) Stages(name string) map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.anySecret(name)
	if s == nil {
		return nil
	}
	stages := make(map[string]string, len(s.stages))
	for stage, at := range s.stages {
		stages[stage] = versionID(at.version)
	}
	return stages
}

// PutSecret makes a secret in the first region have exactly these versions, by ids such as v1, and these stages, by name,
// and creates it if need be. It panics when an id is none. Nothing else is validated.
func (c *Cloud) PutSecret(name string, versions, stages map[string]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	region := c.cfg.Regions[0]
	s := c.secrets[region][name]
	if s == nil {
		s = c.newSecret(region, name, c.cfg.Now())
	}
	s.versions, s.stages = nil, make(map[string]staged)
	for id, value := range versions {
		s.versions = append(s.versions, &secretVersion{number: mustNumber(id), value: value, created: c.cfg.Now()})
	}
	slices.SortFunc(s.versions, func(a, b *secretVersion) int { return a.number - b.number })
	for _, v := range s.versions {
		s.last = max(s.last, v.number)
	}
	for stage, id := range stages {
		s.stages[stage] = staged{mustNumber(id), c.cfg.Now()}
	}
}

func mustNumber(id string) int {
	n, ok := versionNumber(id)
	if !ok {
		panic("huaweisim: no version id: " + id)
	}
	return n
}

// versionNumber reads v1, v2 and so on.
func versionNumber(id string) (int, bool) {
	digits, ok := strings.CutPrefix(id, "v")
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && n > 0 && versionID(n) == id
}

// SetSecretState makes a secret SecretEnabled, SecretDisabled, SecretPendingDelete or SecretFrozen. It panics when there is
// no such secret.
func (c *Cloud) SetSecretState(name, state string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.anySecret(name)
	if s == nil {
		panic("huaweisim: no secret " + name)
	}
	s.state = state
}

func (c *Cloud) anySecret(name string) *secret {
	for _, region := range c.cfg.Regions {
		if s := c.secrets[region][name]; s != nil {
			return s
		}
	}
	return nil
}

func (c *Cloud) newSecret(region, name string, now time.Time) *secret {
	s := &secret{id: c.random.UUID(), name: name, state: SecretEnabled, created: now, number: len(c.secrets[region]),
		stages: make(map[string]staged)}
	c.secrets[region][name] = s
	return s
}

// version returns a version by number, nil when there is none.
func (s *secret) version(number int) *secretVersion {
	i := slices.IndexFunc(s.versions, func(v *secretVersion) bool { return v.number == number })
	if i < 0 {
		return nil
	}
	return s.versions[i]
}

// stagesOf are a version's stages, sorted.
func (s *secret) stagesOf(number int) []string {
	names := []string{}
	for _, name := range slices.Sorted(maps.Keys(s.stages)) {
		if s.stages[name].version == number {
			names = append(names, name)
		}
	}
	return names
}

// append adds a version. When there are 20, the oldest without a stage makes room: "a version without any status is
// deprecated and can be automatically deleted". 12 stages are on 12 versions at most, so there always is one.
func (s *secret) append(v *secretVersion) {
	if len(s.versions) >= maxVersions {
		i := slices.IndexFunc(s.versions, func(o *secretVersion) bool { return len(s.stagesOf(o.number)) == 0 })
		s.versions = slices.Delete(s.versions, i, i+1)
	}
	s.last++
	v.number = s.last
	s.versions = append(s.versions, v)
}

// room refuses stages that would be too many: 12 per secret.
// https://support.huaweicloud.com/intl/en-us/api-dew/UpdateSecretStage.html
func (s *secret) room(stages []string) *apiError {
	n := len(s.stages)
	for i, stage := range stages {
		if _, ok := s.stages[stage]; !ok && !slices.Contains(stages[:i], stage) {
			n++
		}
	}
	if n > maxStages {
		return refuse(http.StatusBadRequest, "CSMS.0203", "The number of stage has reached the upper limit.")
	}
	return nil
}

// move puts a stage on a version, wherever it was: nothing is compared.
func (c *Cloud) move(s *secret, stage string, to int, now time.Time) {
	from, was := s.stages[stage]
	s.stages[stage] = staged{to, now}
	if stage == stageCurrent && was && from.version != to && c.cfg.Answers.PreviousFollows {
		s.stages[stagePrevious] = staged{from.version, now}
	}
	c.prune(s)
}

// prune deletes versions without a stage, where they do not wait until room is needed.
func (c *Cloud) prune(s *secret) {
	if c.cfg.Answers.UnlabelledVanish {
		s.versions = slices.DeleteFunc(s.versions, func(v *secretVersion) bool { return len(s.stagesOf(v.number)) == 0 })
	}
}

// named reports whether name is 1 to 64 letters, digits, _ and -.
func named(name string) bool {
	return name != "" && len(name) <= 64 && strings.Trim(name, lower+upper+digits+"_-") == ""
}

// newVersion reads secret_string and secret_binary: "one of them must be set, and only one", with up to 32 KB. The message
// never holds a value.
func newVersion(text, binary *string, expires int64, now time.Time) (*secretVersion, *apiError) {
	v := &secretVersion{created: now, expires: expires}
	size := 0
	switch {
	case (text == nil) == (binary == nil):
		return nil, invalid(serviceCSMS, "one of secret_string and secret_binary must be set, and only one.")
	case binary != nil:
		raw, err := base64.StdEncoding.DecodeString(*binary)
		if err != nil {
			return nil, invalid(serviceCSMS, "secret_binary is not base64.")
		}
		v.value, v.binary, size = *binary, true, len(raw)
	default:
		v.value, size = *text, len(*text)
	}
	if size == 0 || size > maxValue {
		return nil, invalid(serviceCSMS, "the value has %d bytes, which is not within 1 and %d.", size, maxValue)
	}
	return v, nil
}

// secretOf returns the secret that a call names, in its region and state.
func (c *Cloud) secretOf(k *call) (*secret, error) {
	name := k.path["secret_name"]
	if !named(name) {
		return nil, invalid(serviceCSMS, "secret_name is not valid.")
	}
	s := c.secrets[k.Region][name]
	if s == nil {
		return nil, c.missing("CSMS.0106", "The secret name not found int the db.")
	}
	return s, nil
}

// usable returns the secret that a call names when its values may be read and written.
func (c *Cloud) usable(k *call) (*secret, error) {
	s, err := c.secretOf(k)
	switch {
	case err != nil:
		return nil, err
	case s.state == SecretPendingDelete:
		return nil, refuse(http.StatusBadRequest, "CSMS.0103", "The secret is in the scheduled deletion state.")
	case s.state != SecretEnabled:
		return nil, refuse(http.StatusForbidden, "CSMS.0109", "The secret is not in the enabled state.")
	}
	return s, nil
}

// missing says that something is not there. All codes of the list are HTTP 400; the pages of the APIs mention 404 as well.
// https://support.huaweicloud.com/intl/en-us/api-dew/ErrorCode.html
func (c *Cloud) missing(code, message string) error {
	status := http.StatusBadRequest
	if c.cfg.Answers.MissingIs404 {
		status = http.StatusNotFound
	}
	return refuse(status, code, "%s", message)
}

func (c *Cloud) noResource(what string) error {
	return c.missing("CSMS.0005", fmt.Sprintf("The resource does not exist: %s.", what))
}
