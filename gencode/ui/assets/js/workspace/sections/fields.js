// Fields that several resources have.

export const NAME = { name: "name", label: "rowName", required: true };
