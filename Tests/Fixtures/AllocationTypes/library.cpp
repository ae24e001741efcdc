// A library with one class, NAME.
struct NAME {
    virtual ~NAME() = default;
    int value = 1;
};
extern "C" const void *make_object() {
    static NAME object;
    return &object;
}
