package tencentsim

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// The actions of Secrets Manager, https://www.tencentcloud.com/document/product/1078/38633. Parameters that a custom
// secret does not use are accepted where the API has them.

type createSecretRequest struct {
	SecretName       string      `json:"SecretName"`
	VersionId        string      `json:"VersionId"`
	Description      string      `json:"Description"`
	KmsKeyId         string      `json:"KmsKeyId"`
	SecretType       int         `json:"SecretType"`
	SecretString     string      `json:"SecretString"`
	SecretBinary     string      `json:"SecretBinary"`
	AdditionalConfig string      `json:"AdditionalConfig"`
	Tags             []secretTag `json:"Tags"`
	KmsHsmClusterId  string      `json:"KmsHsmClusterId"`
	EncryptType      int         `json:"EncryptType"`
}

type secretTag struct {
	TagKey   string `json:"TagKey"`
	TagValue string `json:"TagValue"`
}

type namedVersion struct{ SecretName, VersionId string }

func createSecret(c *Cloud, k *call, r *createSecretRequest) (any, error) {
	if err := checkName(r.SecretName); err != nil {
		return nil, err
	}
	// "If VersionId is empty, SSM_Current is the initial version": the SDK's comment on CreateSecret.
	if r.VersionId == "" {
		r.VersionId = "SSM_Current"
	}
	if err := checkVersionID(r.VersionId); err != nil {
		return nil, err
	}
	v, err := newVersion(r.SecretString, r.SecretBinary, k.now)
	if err != nil {
		return nil, err
	}
	if len(r.Description) > 2048 || r.SecretType != 0 {
		return nil, refuse("InvalidParameterValue", "The value of `Description` or `SecretType` is not valid.")
	}
	tags := make(map[string]string)
	for _, t := range r.Tags {
		if _, twice := tags[t.TagKey]; twice {
			return nil, refuse("InvalidParameterValue.TagKeysDuplicated", "The tag key `%s` is duplicated.", t.TagKey)
		}
		tags[t.TagKey] = t.TagValue
	}
	if c.secrets[k.Region][r.SecretName] != nil {
		return nil, refuse("ResourceInUse.SecretExists", "The secret `%s` already exists.", r.SecretName)
	}
	if len(c.secrets[k.Region]) >= maxSecrets {
		return nil, refuse("LimitExceeded", "The number of secrets exceeds the limit of %d.", maxSecrets)
	}
	s := c.newSecret(k.Region, r.SecretName, k.now)
	s.description, s.tags = r.Description, tags
	s.versions[r.VersionId] = v
	return struct {
		namedVersion
		TagCode int
		TagMsg  string
	}{namedVersion{r.SecretName, r.VersionId}, 0, ""}, nil
}

type putSecretRequest struct {
	SecretName   string `json:"SecretName"`
	VersionId    string `json:"VersionId"`
	SecretString string `json:"SecretString"`
	SecretBinary string `json:"SecretBinary"`
}

// check reads what PutSecretValue and UpdateSecret have in common.
func (r *putSecretRequest) check(c *Cloud, k *call) (*secret, version, error) {
	s, err := c.secretOf(k, r.SecretName)
	if err != nil {
		return nil, version{}, err
	}
	if err := checkVersionID(r.VersionId); err != nil {
		return nil, version{}, err
	}
	v, err := newVersion(r.SecretString, r.SecretBinary, k.now)
	if err != nil {
		return nil, version{}, err
	}
	return s, v, s.changeable()
}

// putSecretValue adds a version that is not there yet: the one atomic step that the API has.
func putSecretValue(c *Cloud, k *call, r *putSecretRequest) (any, error) {
	s, v, err := r.check(c, k)
	if err != nil {
		return nil, err
	}
	if _, ok := s.versions[r.VersionId]; ok {
		return nil, refuse("ResourceInUse.VersionIdExists", "The version `%s` already exists.", r.VersionId)
	}
	if len(s.versions) >= maxVersions {
		return nil, refuse("LimitExceeded", "The number of versions exceeds the limit of %d.", maxVersions)
	}
	v.number = s.next()
	s.versions[r.VersionId] = v
	return namedVersion{r.SecretName, r.VersionId}, nil
}

// updateSecret overwrites a version that is there.
func updateSecret(c *Cloud, k *call, r *putSecretRequest) (any, error) {
	s, v, err := r.check(c, k)
	if err != nil {
		return nil, err
	}
	old, ok := s.versions[r.VersionId]
	if !ok {
		return nil, noVersion(r.VersionId)
	}
	v.created, v.number = old.created, old.number
	s.versions[r.VersionId] = v
	return namedVersion{r.SecretName, r.VersionId}, nil
}

type getSecretRequest struct {
	SecretName          string `json:"SecretName"`
	VersionId           string `json:"VersionId"`
	EncryptionPublicKey string `json:"EncryptionPublicKey"`
	EncryptionAlgorithm string `json:"EncryptionAlgorithm"`
}

func getSecretValue(c *Cloud, k *call, r *getSecretRequest) (any, error) {
	s, err := c.secretOf(k, r.SecretName)
	if err != nil {
		return nil, err
	}
	if err := checkVersionID(r.VersionId); err != nil {
		return nil, err
	}
	if err := s.changeable(); err != nil {
		return nil, err
	}
	if s.status == SecretDisabled {
		return nil, refuse("ResourceUnavailable.ResourceDisabled", "The secret `%s` is disabled.", s.name)
	}
	v, ok := s.versions[r.VersionId]
	if !ok {
		return nil, noVersion(r.VersionId)
	}
	out := struct {
		namedVersion
		SecretString, SecretBinary string
	}{namedVersion: namedVersion{r.SecretName, r.VersionId}}
	if v.binary {
		out.SecretBinary = v.value
	} else {
		out.SecretString = v.value
	}
	return out, nil
}

type secretRequest struct {
	SecretName string `json:"SecretName"`
}

func listSecretVersionIDs(c *Cloud, k *call, r *secretRequest) (any, error) {
	s, err := c.secretOf(k, r.SecretName)
	if err != nil {
		return nil, err
	}
	type info struct {
		VersionId  string
		CreateTime int64 // whole seconds, so versions cannot be ordered by it
	}
	var versions []info // "may return null": https://www.tencentcloud.com/document/product/1078/38647
	ids := slices.SortedFunc(maps.Keys(s.versions), func(a, b string) int {
		return cmp.Compare(s.versions[b].number, s.versions[a].number)
	})
	for _, id := range ids {
		versions = append(versions, info{id, s.versions[id].created.Unix()})
	}
	return struct {
		SecretName string
		Versions   []info
	}{s.name, versions}, nil
}

type deleteVersionRequest struct {
	SecretName string `json:"SecretName"`
	VersionId  string `json:"VersionId"`
}

// deleteSecretVersion "takes effect immediately" and works in every state.
func deleteSecretVersion(c *Cloud, k *call, r *deleteVersionRequest) (any, error) {
	s, err := c.secretOf(k, r.SecretName)
	if err != nil {
		return nil, err
	}
	if err := checkVersionID(r.VersionId); err != nil {
		return nil, err
	}
	if _, ok := s.versions[r.VersionId]; !ok {
		return nil, noVersion(r.VersionId)
	}
	delete(s.versions, r.VersionId)
	return namedVersion{r.SecretName, r.VersionId}, nil
}

// metadata is what DescribeSecret and ListSecrets say of a secret.
type metadata struct {
	SecretName, Description, KmsKeyId string
	KmsKeyType                        string
	CreateUin                         uint64
	Status                            string
	DeleteTime, CreateTime            int64
	SecretType                        int
}

func (s *secret) metadata() metadata {
	return metadata{SecretName: s.name, Description: s.description, KmsKeyId: "", KmsKeyType: "DEFAULT", CreateUin: accountUin,
		Status: s.status, CreateTime: s.created.Unix()}
}

func describeSecret(c *Cloud, k *call, r *secretRequest) (any, error) {
	s, err := c.secretOf(k, r.SecretName)
	if err != nil {
		return nil, err
	}
	return s.metadata(), nil
}

type listSecretsRequest struct {
	Offset           int               `json:"Offset"`
	Limit            int               `json:"Limit"`
	OrderType        int               `json:"OrderType"`
	State            int               `json:"State"`
	SearchSecretName string            `json:"SearchSecretName"`
	TagFilters       []secretTagFilter `json:"TagFilters"`
	SecretType       *int              `json:"SecretType"`
	ProductName      string            `json:"ProductName"`
}

type secretTagFilter struct {
	TagKey   string   `json:"TagKey"`
	TagValue []string `json:"TagValue"`
}

// listSecrets: newest first, unless OrderType is 1.
func listSecrets(c *Cloud, k *call, r *listSecretsRequest) (any, error) {
	states := []string{"", SecretEnabled, SecretDisabled, SecretPendingDelete}
	if r.Offset < 0 || r.Limit < 0 || r.State < 0 || r.State >= len(states) || r.OrderType < 0 || r.OrderType > 1 {
		return nil, refuse("InvalidParameterValue", "The value of `Offset`, `Limit`, `OrderType` or `State` is not valid.")
	}
	var found []*secret
	for _, s := range c.secrets[k.Region] {
		if (r.State == 0 || s.status == states[r.State]) && strings.Contains(s.name, r.SearchSecretName) && s.matches(r.TagFilters) {
			found = append(found, s)
		}
	}
	slices.SortFunc(found, func(a, b *secret) int {
		if r.OrderType == 1 {
			a, b = b, a
		}
		return cmp.Compare(b.number, a.number)
	})
	limit := r.Limit
	if limit == 0 {
		limit = 20
	}
	from := min(r.Offset, len(found))
	all := []metadata{}
	for _, s := range found[from:min(from+limit, len(found))] {
		all = append(all, s.metadata())
	}
	return struct {
		TotalCount      int
		SecretMetadatas []metadata
	}{len(found), all}, nil
}

func (s *secret) matches(filters []secretTagFilter) bool {
	for _, f := range filters {
		value, ok := s.tags[f.TagKey]
		if !ok || (len(f.TagValue) > 0 && !slices.Contains(f.TagValue, value)) {
			return false
		}
	}
	return true
}
