package tencentsim

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"time"
)

// Secret states. https://www.tencentcloud.com/document/product/1078/38653
const (
	SecretEnabled       = "Enabled"
	SecretDisabled      = "Disabled"
	SecretPendingDelete = "PendingDelete"
)

const (
	maxSecrets  = 1000 // per region
	maxVersions = 10   // per secret
	// maxValue: the international pages say 4096 bytes, newer Chinese ones 32 KB.
	maxValue = 4096
	// accountUin is whose secrets these are.
	accountUin = 100000000001
)

type secret struct {
	name, description string
	status            string
	created           time.Time
	number            int // how many secrets of the region were created before it
	tags              map[string]string
	versions          map[string]version
}

type version struct {
	value   string // as given: text, or base64
	binary  bool
	created time.Time
	number  int
}

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
	for id, v := range s.versions {
		values[id] = v.value
	}
	return values
}

// PutSecret makes a secret in the first region have exactly these versions, and creates it if need be. No versions is
// a secret such as Terraform leaves behind. Nothing is validated.
func (c *Cloud) PutSecret(name string, versions map[string]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	region := c.cfg.Regions[0]
	s := c.secrets[region][name]
	if s == nil {
		s = c.newSecret(region, name, c.cfg.Now())
	}
	s.versions = make(map[string]version, len(versions))
	for i, id := range slices.Sorted(maps.Keys(versions)) {
		s.versions[id] = version{value: versions[id], created: c.cfg.Now(), number: i}
	}
}

// SetSecretStatus makes a secret SecretEnabled, SecretDisabled or SecretPendingDelete. It panics when there is no
// such secret.
func (c *Cloud) SetSecretStatus(name, status string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.anySecret(name)
	if s == nil {
		panic("tencentsim: no secret " + name)
	}
	s.status = status
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
	if c.secrets[region] == nil {
		c.secrets[region] = make(map[string]*secret)
	}
	s := &secret{name: name, status: SecretEnabled, created: now, number: len(c.secrets[region]), versions: make(map[string]version)}
	c.secrets[region][name] = s
	return s
}

// next is the number of a version created now.
func (s *secret) next() int {
	n := 0
	for _, v := range s.versions {
		n = max(n, v.number+1)
	}
	return n
}

// named reports whether name is made of letters, digits and marks, and begins with no mark.
func named(name, marks string) bool {
	return strings.Trim(name, lower+upper+digits+marks) == "" && !strings.ContainsRune(marks, rune(name[0]))
}

// checkName: "up to 128 bytes, letters, digits, - and _, beginning with a letter or digit".
func checkName(name string) error {
	if name == "" {
		return missing("SecretName")
	}
	if len(name) > 128 || !named(name, "-_") {
		return refuse("InvalidParameterValue", "The value of `SecretName` is not valid.")
	}
	return nil
}

// checkVersionID: "up to 64 bytes, letters, digits, -, _ and ., beginning with a letter or digit".
func checkVersionID(id string) error {
	if id == "" {
		return missing("VersionId")
	}
	if len(id) > 64 || !named(id, "-_.") {
		return refuse("InvalidParameterValue", "The value of `VersionId` is not valid.")
	}
	return nil
}

// newVersion reads SecretString and SecretBinary: "either must be set", and not both. The message never holds a value.
func newVersion(text, binary string, now time.Time) (version, error) {
	size := len(text)
	switch {
	case (text == "") == (binary == ""):
		return version{}, refuse("InvalidParameterValue", "One of `SecretString` and `SecretBinary` must be set, and only one.")
	case binary != "":
		raw, err := base64.StdEncoding.DecodeString(binary)
		if err != nil {
			return version{}, refuse("InvalidParameterValue", "The value of `SecretBinary` is not base64.")
		}
		size = len(raw)
	}
	if size > maxValue {
		return version{}, refuse("InvalidParameterValue", "The value is %d bytes, which exceeds the limit of %d.", size, maxValue)
	}
	return version{value: text + binary, binary: binary != "", created: now}, nil
}

// secretOf returns the secret that a call names, in its region.
func (c *Cloud) secretOf(k *call, name string) (*secret, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	if s := c.secrets[k.Region][name]; s != nil {
		return s, nil
	}
	code := "ResourceNotFound"
	if k.Action == "GetSecretValue" {
		code = "ResourceNotFound.SecretNotExist" // only its error list has this code
	}
	return nil, refuse(code, "The secret `%s` does not exist.", name)
}

func noVersion(id string) error {
	return refuse("ResourceNotFound", "The version `%s` does not exist.", id)
}

// changeable: "only Enabled and Disabled".
func (s *secret) changeable() error {
	if s.status == SecretPendingDelete {
		return refuse("ResourceUnavailable.ResourcePendingDeleted", "The secret `%s` is scheduled for deletion.", s.name)
	}
	return nil
}
